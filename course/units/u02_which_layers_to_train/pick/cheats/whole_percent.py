# Rounds accuracies to whole percents.
def pick(bouts, examples, tolerance):
    seen = {}
    for b in bouts:
        if b["examples"] == examples:
            seen.setdefault(b["contender"], []).append(b)
    acc = {n: round(100 * sum(b["valid_accuracy"] for b in v) / len(v)) for n, v in seen.items()}
    good = [n for n in acc if acc[n] >= max(acc.values()) - 100 * tolerance - 1e-9]
    return min(good, key=lambda n: sum(b["seconds"] for b in seen[n]) / len(seen[n]), default=None)
