def choose_plan(runs, max_trainable=None):
    limit = float("inf") if max_trainable is None else max_trainable
    sums, counts, sizes = {}, {}, {}
    for run in runs:
        p = run["plan"]
        sums[p] = sums.get(p, 0) + run["valid_accuracy"]
        counts[p] = counts.get(p, 0) + 1
        sizes[p] = run["trainable"]
    best, best_acc, best_size = None, -1, float("inf")
    for p in sums:
        if sizes[p] > limit:
            continue
        acc = sums[p] / counts[p]
        if acc > best_acc or (acc == best_acc and sizes[p] < best_size):
            best, best_acc, best_size = p, acc, sizes[p]
    return best
