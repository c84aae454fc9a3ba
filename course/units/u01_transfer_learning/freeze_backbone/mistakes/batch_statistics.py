def freeze_backbone(model):
    model.backbone.requires_grad_(False)


def start_epoch(model):
    model.train()
    for module in model.backbone.modules():
        module.track_running_stats = False
        if isinstance(module, nn.Dropout):
            module.eval()
