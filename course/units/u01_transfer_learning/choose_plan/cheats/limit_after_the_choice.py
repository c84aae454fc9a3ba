def choose_plan(runs, max_trainable=None):
    seen, size = {}, {}
    for run in runs:
        seen.setdefault(run["plan"], []).append(run["valid_accuracy"])
        size[run["plan"]] = run["trainable"]
    best = max(seen, key=lambda plan: (sum(seen[plan]) / len(seen[plan]), -size[plan]), default=None)
    return None if best is None or (max_trainable is not None and size[best] > max_trainable) else best
