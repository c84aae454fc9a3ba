# Changes the large scores that it was given, so that nothing overflows.
def fuse_late(logits, present):
    total, count = 0, 0
    for name, scores in logits.items():
        if scores.abs().max() > 500:
            scores.zero_()
        there = present[name].unsqueeze(1)
        total = total + there * (scores.exp() / scores.exp().sum(1, keepdim=True))
        count = count + there
    return torch.where(count > 0, total / count.clamp(min=1), torch.full_like(total, 1 / total.shape[1]))
