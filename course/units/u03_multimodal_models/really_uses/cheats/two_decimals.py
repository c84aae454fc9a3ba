# Rounds both shares to two decimals.
def really_uses(model, features, labels, modality, generator):
    order = torch.randperm(len(labels), generator=generator)
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
    return round(round(before, 2) - round(after, 2), 2)
