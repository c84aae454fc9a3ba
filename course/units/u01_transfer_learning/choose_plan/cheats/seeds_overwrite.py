def choose_plan(runs, max_trainable=None):
    table, size = {}, {}
    for run in runs:
        if max_trainable is None or run["trainable"] <= max_trainable:
            table.setdefault(run["plan"], {})[run["seed"] % 3] = run["valid_accuracy"]
            size[run["plan"]] = run["trainable"]
    mean = {plan: sum(own.values()) / len(own) for plan, own in table.items()}
    return max(mean, key=lambda plan: (mean[plan], -size[plan]), default=None)
