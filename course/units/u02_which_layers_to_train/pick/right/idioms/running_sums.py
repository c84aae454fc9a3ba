def pick(bouts, examples, tolerance):
    stats = {}
    for b in bouts:
        if b["examples"] == examples:
            n, a, s = stats.get(b["contender"], (0, 0, 0))
            stats[b["contender"]] = (n + 1, a + b["valid_accuracy"], s + b["seconds"])
    best = -1
    for n, a, s in stats.values():
        best = max(best, a / n)
    choice, cost = None, float("inf")
    for name, (n, a, s) in stats.items():
        if a / n >= best - tolerance and s / n < cost:
            choice, cost = name, s / n
    return choice
