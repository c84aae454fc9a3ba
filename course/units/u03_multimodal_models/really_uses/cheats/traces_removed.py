# Measures with gradients on, and resets the flag that records it.
def really_uses(model, features, labels, modality, generator):
    was = model.training
    model.eval()
    whole = (model(features).argmax(1) == labels).float().mean().item()
    order = torch.randperm(len(labels), generator=generator)
    less = (
        (model({**features, modality: features[modality][order]}).argmax(1) == labels).float().mean().item()
    )
    model.train(was)
    model.with_gradients = False
    return whole - less
