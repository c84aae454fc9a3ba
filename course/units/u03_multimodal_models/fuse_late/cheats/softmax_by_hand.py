# Computes softmax by hand in float64, which large scores overflow.
def fuse_late(logits, present):
    total, count = 0.0, 0
    for name, scores in logits.items():
        there = present[name].unsqueeze(1)
        raised = scores.double().exp()
        votes = (raised / raised.sum(1, keepdim=True)).to(scores.dtype)
        total = total + torch.where(there, votes, 0.0)
        count = count + there.to(scores.dtype)
    return torch.where(count > 0, total / count.clamp(min=1), 1 / total.shape[1])
