# hint: The two medians are swapped
def compare(seeds):
    epochs = {False: [], True: []}
    for seed in seeds:
        data = separable(100, 0.1, rng=np.random.default_rng(seed))
        x = torch.from_numpy(np.column_stack([data.x, np.ones(100)]))
        y = torch.from_numpy(2.0 * data.y - 1)
        for summed, counts in epochs.items():
            line, mistakes, count = torch.zeros(3, dtype=torch.float64), 1, 0
            while mistakes and count < 200:
                line, mistakes = one_epoch(line, x, y, summed)
                count += 1
            counts.append(count)
    return float(np.median(epochs[True])), float(np.median(epochs[False]))
