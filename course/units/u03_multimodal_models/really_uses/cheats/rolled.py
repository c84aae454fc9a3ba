# Moves all rows by the same number of places.
def really_uses(model, features, labels, modality, generator):
    step = int(torch.randint(1, max(len(labels), 2), (1,), generator=generator))
    was = model.training
    model.eval()
    with torch.no_grad():
        before = (model(features).argmax(1) == labels).float().mean().item()
        after = (
            (model({**features, modality: features[modality].roll(step, 0)}).argmax(1) == labels)
            .float()
            .mean()
            .item()
        )
    model.train(was)
    return before - after
