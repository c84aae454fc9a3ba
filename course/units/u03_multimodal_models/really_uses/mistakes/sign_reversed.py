def really_uses(model, features, labels, modality, generator):
    was = model.training
    model.eval()
    with torch.no_grad():
        whole = (model(features).argmax(1) == labels).float().mean().item()
        order = torch.randperm(len(labels), generator=generator)
        shuffled = {**features, modality: features[modality][order]}
        less = (model(shuffled).argmax(1) == labels).float().mean().item()
    model.train(was)
    return less - whole
