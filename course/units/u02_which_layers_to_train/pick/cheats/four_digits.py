# Rounds means of accuracies to four digits.
def pick(bouts, examples, tolerance):
    seen = {}
    for b in bouts:
        if b["examples"] == examples:
            seen.setdefault(b["contender"], []).append(b)
    acc = {n: round(sum(b["valid_accuracy"] for b in v) / len(v), 4) for n, v in seen.items()}
    good = [n for n in acc if acc[n] >= round(max(acc.values()) - tolerance, 4)]
    return min(good, key=lambda n: sum(b["seconds"] for b in seen[n]) / len(seen[n]), default=None)
