def fuse_late(logits, present):
    total, count = 0, 0
    for name, scores in logits.items():
        there = present[name].unsqueeze(1)
        total = total + there * torch.nn.functional.one_hot(scores.argmax(1), scores.shape[1]).to(
            scores.dtype
        )
        count = count + there
    mean, nothing = total / count.clamp(min=1), torch.full_like(total, 1 / total.shape[1])
    return torch.where(count > 0, mean, nothing)
