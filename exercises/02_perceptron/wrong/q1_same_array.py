# hint: All rows are one array
def train(x, y, max_epochs):
    extended = np.column_stack([x, np.ones(len(x))])
    line, path = np.zeros(extended.shape[1]), []
    for _ in range(max_epochs):
        mistakes = 0
        for x_n, y_n in zip(extended, y, strict=True):
            if y_n * (x_n @ line) <= 0:
                line += y_n * x_n
                path.append(line)
                mistakes += 1
        if mistakes == 0:
            break
    return np.array(path)
