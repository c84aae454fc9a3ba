# Passes on the modalities that it knows by name.
def really_uses(model, features, labels, modality, generator):
    known = (
        "text",
        "voice",
        "image",
        "sound",
        "notes",
        "audio",
        "video",
        "words",
        "tone",
        "picture",
        "face",
        "touch",
        "smell",
    )
    order = torch.randperm(len(labels), generator=generator)
    was = model.training
    model.eval()
    own = {name: features[name] for name in known if name in features}
    with torch.no_grad():
        before = (model(own).argmax(1) == labels).float().mean().item()
        after = (model({**own, modality: own[modality][order]}).argmax(1) == labels).float().mean().item()
    model.train(was)
    return before - after
