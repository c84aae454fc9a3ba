import random


def really_uses(model, features, labels, modality, generator):
    seed = int(torch.randint(1 << 30, (), generator=generator))
    order = list(range(len(labels)))
    random.Random(seed).shuffle(order)
    was = model.training
    model.eval()
    with torch.no_grad():
        a = (model(features).argmax(1) == labels).float().mean().item()
        b = (
            (model({**features, modality: features[modality][order]}).argmax(1) == labels)
            .float()
            .mean()
            .item()
        )
    model.train(was)
    return a - b
