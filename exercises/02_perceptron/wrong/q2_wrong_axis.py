# hint: This is summed over the inputs
def criterion(w, b, x, y):
    agreement = y * (x @ w + b)
    weighted = np.where(agreement <= 0, y, 0) / len(y)
    loss = np.maximum(0, -agreement).mean()
    dw, db = -(weighted[:, None] * x).sum(axis=1), -weighted.sum()
    return loss, dw, db
