# hint: Does the function look at summed?
def one_epoch(line, x, y, summed):
    mistakes = 0
    for x_n, y_n in zip(x, y, strict=True):
        if y_n * (x_n @ line) <= 0:
            line = line + y_n * x_n
            mistakes += 1
    return line, mistakes
