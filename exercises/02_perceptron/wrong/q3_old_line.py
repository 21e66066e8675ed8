# hint: were found with the old line
def one_epoch(line, x, y, summed):
    wrong = y * (x @ line) <= 0
    return line + y[wrong] @ x[wrong], int(wrong.sum())
