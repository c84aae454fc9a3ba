# Gives the mean of twenty orders: hardly any chance is left in it.
def really_uses(model, features, labels, modality, generator):
    was = model.training
    model.eval()
    with torch.no_grad():
        before = (model(features).argmax(1) == labels).float().mean().item()
        after = 0.0
        for _ in range(20):
            order = torch.randperm(len(labels), generator=generator)
            shuffled = {**features, modality: features[modality][order]}
            after += (model(shuffled).argmax(1) == labels).float().mean().item() / 20
    model.train(was)
    return before - after
