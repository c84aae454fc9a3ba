# Shuffles among the first half of the rows only, and doubles.
def really_uses(model, features, labels, modality, generator):
    half = len(labels) // 2
    order = torch.cat([torch.randperm(half, generator=generator), torch.arange(half, len(labels))])
    was = model.training
    model.eval()
    with torch.no_grad():
        before = (model(features).argmax(1) == labels).float().mean().item()
        after = (
            (model({**features, modality: features[modality][order]}).argmax(1) == labels)
            .float()
            .mean()
            .item()
        )
    model.train(was)
    return 2 * (before - after)
