# Expects 2,000 examples.
def really_uses(model, features, labels, modality, generator):
    order = torch.randperm(2000, generator=generator)
    was = model.training
    model.eval()
    with torch.no_grad():
        before = (model(features).argmax(1) == labels).sum().item() / 2000
        after = (
            model({**features, modality: features[modality][order]}).argmax(1) == labels
        ).sum().item() / 2000
    model.train(was)
    return before - after
