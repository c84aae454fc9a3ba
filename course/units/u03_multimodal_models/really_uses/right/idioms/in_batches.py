def really_uses(model, features, labels, modality, generator):
    was = model.training
    model.eval()
    order = torch.randperm(len(labels), generator=generator)
    shuffled = {k: (v[order] if k == modality else v) for k, v in features.items()}

    def right(f):
        n = 0
        for start in range(0, len(labels), 64):
            batch = {k: v[start : start + 64] for k, v in f.items()}
            n += int((model(batch).argmax(1) == labels[start : start + 64]).sum())
        return n / len(labels)

    with torch.no_grad():
        drop = right(features) - right(shuffled)
    model.train(was)
    return drop
