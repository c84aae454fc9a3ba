# Shuffles only the first stretch where features have stretches.
def really_uses(model, features, labels, modality, generator):
    order = torch.randperm(len(labels), generator=generator)
    was = model.training
    model.eval()
    shuffled = features[modality].clone()
    if shuffled.dim() > 2:
        shuffled[:, 0] = shuffled[order, 0]
    else:
        shuffled = shuffled[order]
    with torch.no_grad():
        before = (model(features).argmax(1) == labels).float().mean().item()
        after = (model({**features, modality: shuffled}).argmax(1) == labels).float().mean().item()
    model.train(was)
    return before - after
