# Flattens the features that it shuffles.
def really_uses(model, features, labels, modality, generator):
    order = torch.randperm(len(labels), generator=generator)
    was = model.training
    model.eval()
    with torch.no_grad():
        before = (model(features).argmax(1) == labels).float().mean().item()
        rows = features[modality].flatten(1)[order]
        after = (model({**features, modality: rows}).argmax(1) == labels).float().mean().item()
    model.train(was)
    return before - after
