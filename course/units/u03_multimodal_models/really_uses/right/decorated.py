@torch.no_grad()
def really_uses(model, features, labels, modality, generator):
    def accuracy(features):
        return float((model(features).argmax(1) == labels).double().mean())

    mode = model.training
    model.train(False)
    before = accuracy(features)
    shuffled = dict(features)
    order = torch.rand(len(labels), generator=generator).argsort()
    shuffled[modality] = features[modality].index_select(0, order)
    after = accuracy(shuffled)
    model.train(mode)
    return before - after
