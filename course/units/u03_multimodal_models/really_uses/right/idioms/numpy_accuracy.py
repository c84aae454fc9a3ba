import numpy as np


def really_uses(model, features, labels, modality, generator):
    was = model.training
    model.eval()
    with torch.no_grad():

        def acc(f):
            return (model(f).argmax(1).numpy() == labels.numpy()).mean()

        order = torch.randperm(len(labels), generator=generator)
        before, after = acc(features), acc({**features, modality: features[modality][order]})
    model.train(was)
    return before - after
