def pick(bouts, examples, tolerance):
    from statistics import fmean

    fitting = [b for b in bouts if b["examples"] == examples]
    rows = []
    for name in {b["contender"] for b in fitting}:
        own = [b for b in fitting if b["contender"] == name]
        rows.append((fmean(b["seconds"] for b in own), fmean(b["valid_accuracy"] for b in own), name))
    if not rows:
        return None
    line = max(row[1] for row in rows) - tolerance
    return min(row for row in rows if row[1] >= line)[2]
