"""What run.yaml selects, checked as a whole: its lists contradict neither each other nor the corpora."""

from stages.common.command import InputError


def check_run(everything: dict) -> None:
    """Refuse lists that contradict each other.

    Raises:
        InputError: the first such contradiction.
    """
    check_encoders(everything["run"])
    check_unlabelled(everything)
    check_teacher(everything)
    check_layer_decay(everything)


def check_encoders(run: dict) -> None:
    """Nothing is fetched or computed for an encoder that no model reads, and every model on encoders has one.

    Raises:
        InputError: the lists of encoders and of models contradict each other.
    """
    for key, kind in (("frozen_encoders", "features"), ("finetuned_encoders", "finetuning")):
        if bool(run[key]) != bool(run["models"][kind]):
            raise InputError(
                f"run.yaml: run.{key} is {run[key]} and run.models.{kind} is {run['models'][kind]}; "
                "name some in both, or make both []"
            )
    read = list(dict.fromkeys(run["frozen_encoders"] + run["finetuned_encoders"]))
    if set(read) != set(run["encoders"]):
        raise InputError(
            f"run.yaml: run.encoders is {run['encoders']}, but the encoders of frozen_encoders and finetuned_encoders "
            f"are {read}; write encoders: [{', '.join(read)}]"
        )


def check_unlabelled(everything: dict) -> None:
    """Every corpus whose texts are read without labels is fetched, and none is fetched that nothing reads.

    Raises:
        InputError: the lists of corpora and of those that they name contradict each other.
    """
    run = everything["run"]
    corpora, unlabelled = run["corpora"], run["unlabelled_corpora"]
    if both := [name for name in unlabelled if name in corpora]:
        raise InputError(
            f"run.yaml: {both[0]!r} is in run.corpora and in run.unlabelled_corpora; "
            "take it out of unlabelled_corpora, as the texts of all corpora can be read"
        )
    read = set()
    for corpus in corpora:
        others = everything["corpora"][corpus]["unlabelled_texts"]
        read.update(others)
        if corpus in others:
            raise InputError(
                f"corpora/{corpus}.yaml: unlabelled_texts names {corpus!r} itself, whose texts are read anyway; "
                "take it out"
            )
        if missing := [name for name in others if name not in corpora + unlabelled]:
            raise InputError(
                f"corpora/{corpus}.yaml: unlabelled_texts names {missing[0]!r}, which run.yaml does not; "
                "add it to run.unlabelled_corpora there, or take it out of unlabelled_texts"
            )
    if unread := [name for name in unlabelled if name not in read]:
        raise InputError(
            f"run.yaml: run.unlabelled_corpora names {unread[0]!r}, but no corpus of run.corpora has it in "
            "unlabelled_texts; take it out, or name it there"
        )


def check_teacher(everything: dict) -> None:
    """A teacher is trained and teaches somebody, and those who learn from it say how.

    Raises:
        InputError: the teacher, the models that train encoders and those that learn contradict each other.
    """
    run, models = everything["run"], everything["models"]
    teachers, distilled = run["teachers"], run["models"]["distilled"]
    if bool(teachers) != bool(distilled):
        raise InputError(
            f"run.yaml: run.teachers is {teachers} and run.models.distilled is {distilled}; "
            "name some in both, or make both []"
        )
    for teacher in teachers:
        if teacher not in run["finetuned_encoders"]:
            raise InputError(
                f"run.yaml: run.teachers names {teacher!r}, which is not in finetuned_encoders; add it there, or name "
                "one of them"
            )
        if "finetuned" not in run["models"]["finetuning"]:
            raise InputError(
                f"run.yaml: run.teachers names {teacher!r}, but run.models.finetuning lacks 'finetuned', the model "
                "that teaches; add it, or make teachers and distilled []"
            )
    for kind, names in run["models"].items():
        for name in names:
            if ("distillation" in models[name]) != (kind == "distilled"):
                how = "lacks" if kind == "distilled" else "has"
                raise InputError(
                    f"run.yaml: run.models.{kind} names {name!r}, which {how} distillation in params.yaml; only models "
                    "under distilled learn from a teacher"
                )


def check_layer_decay(everything: dict) -> None:
    """Only an encoder has layers that learn at different rates.

    Raises:
        InputError: a selected model that trains none is to decay them.
    """
    for kind, names in everything["run"]["models"].items():
        for name in names:
            if kind != "finetuning" and "layer_decay" in everything["models"][name].get("optimization", {}):
                raise InputError(
                    f"params.yaml: models.{name}.optimization has layer_decay, which is for models that train an "
                    "encoder; take it out"
                )
