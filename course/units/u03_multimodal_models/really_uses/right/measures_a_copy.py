def really_uses(model, features, labels, modality, generator):
    import copy

    judge = copy.deepcopy(model).eval()
    order = torch.randperm(len(labels), generator=generator)
    with torch.inference_mode():
        right = judge(features).argmax(1) == labels
        still = judge({**features, modality: features[modality][order]}).argmax(1) == labels
    return (right.sum().item() - still.sum().item()) / len(labels)
