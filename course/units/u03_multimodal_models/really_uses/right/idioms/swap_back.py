def really_uses(model, features, labels, modality, generator):
    was = model.training
    model.eval()
    old = features[modality]
    with torch.no_grad():
        a = (model(features).argmax(1) == labels).float().mean().item()
        features[modality] = old[torch.randperm(len(labels), generator=generator)]
        b = (model(features).argmax(1) == labels).float().mean().item()
    features[modality] = old
    model.train(was)
    return a - b
