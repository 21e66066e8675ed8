# hint: the function changed its argument x
def train(x, y, max_epochs):
    x *= y[:, None]
    extended = np.column_stack([x, y])
    line, path = np.zeros(extended.shape[1]), []
    for _ in range(max_epochs):
        mistakes = 0
        for x_n in extended:
            if x_n @ line <= 0:
                line = line + x_n
                path.append(line)
                mistakes += 1
        if mistakes == 0:
            break
    return np.array(path)
