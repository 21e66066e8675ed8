# hint: This is the share of mistakes
def criterion(w, b, x, y):
    agreement = y * (x @ w + b)
    weighted = np.where(agreement <= 0, y, 0) / len(y)
    loss = np.mean(agreement <= 0)
    dw, db = -weighted @ x, -weighted.sum()
    return loss, dw, db
