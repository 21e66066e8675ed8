# hint: The labels are missing in the update
def one_epoch(line, x, y, summed):
    if summed:
        wrong = y * (x @ line) <= 0
        return line + y[wrong] @ x[wrong], int(wrong.sum())
    mistakes = 0
    for x_n, y_n in zip(x, y, strict=True):
        if y_n * (x_n @ line) <= 0:
            line = line + x_n
            mistakes += 1
    return line, mistakes
