# Draws one of a few orders instead of any.
def really_uses(model, features, labels, modality, generator):
    n = len(labels)
    order = torch.arange(n).roll(int(torch.randint(0, 4, (1,), generator=generator)) * n // 4).flip(0)
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
    return before - after
