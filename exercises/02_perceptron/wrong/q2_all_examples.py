# hint: All examples take part
def criterion(w, b, x, y):
    agreement = y * (x @ w + b)
    weighted = y / len(y)
    loss = np.maximum(0, -agreement).mean()
    dw, db = -weighted @ x, -weighted.sum()
    return loss, dw, db
