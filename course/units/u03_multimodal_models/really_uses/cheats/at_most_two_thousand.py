# Looks at 2,000 examples at most.
def really_uses(model, features, labels, modality, generator):
    features, labels = {n: f[:2000] for n, f in features.items()}, labels[:2000]
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
    return before - after
