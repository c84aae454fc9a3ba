# Decides between the first two classes.
def really_uses(model, features, labels, modality, generator):
    order = torch.randperm(len(labels), generator=generator)
    was = model.training
    model.eval()
    with torch.no_grad():
        before, after = (
            ((scores[:, 1] > scores[:, 0]) == (labels == 1)).float().mean().item()
            for scores in (model(features), model({**features, modality: features[modality][order]}))
        )
    model.train(was)
    return before - after
