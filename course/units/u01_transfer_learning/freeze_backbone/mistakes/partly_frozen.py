def freeze_backbone(model):
    for name, parameter in model.backbone.named_parameters():
        if "weight" in name:
            parameter.requires_grad = False


def start_epoch(model):
    model.train()
    model.backbone.eval()
