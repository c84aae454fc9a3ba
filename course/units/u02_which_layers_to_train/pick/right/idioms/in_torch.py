def pick(bouts, examples, tolerance):
    own = [b for b in bouts if b["examples"] == examples]
    if not own:
        return None
    names = list(dict.fromkeys(b["contender"] for b in own))
    idx = torch.tensor([names.index(b["contender"]) for b in own])
    n = torch.bincount(idx)
    column = lambda key: torch.tensor([b[key] for b in own], dtype=torch.float64)
    acc = torch.zeros(len(names), dtype=torch.float64).index_add_(0, idx, column("valid_accuracy")) / n
    sec = torch.zeros(len(names), dtype=torch.float64).index_add_(0, idx, column("seconds")) / n
    sec[acc < acc.max() - tolerance] = torch.inf
    return names[sec.argmin()]
