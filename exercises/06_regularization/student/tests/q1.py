from otter.test_files import test_case

OK_FORMAT = False

name = "q1"
points = 3


@test_case(
    points=0,
    hidden=False,
    failure_message="Do the first fold by hand. The rule for patients 0 and 1 is made from patients 2 to 5 alone.",
)
def test_six_patients_by_hand(cross_validate):
    import numpy as np
    from dlcourse.checks import expect_close

    x = np.array([[2.0, 3.0], [0.0, 3.0], [2.0, 2.0], [3.0, 1.0], [2.0, 0.0], [0.0, 3.0]])
    y, folds = (np.array([0, 1, 0, 1, 0, 1]), np.array([0, 0, 1, 1, 2, 2]))
    mistakes = {
        "Column 0 was chosen for every fold. Whose labels took part in this choice?": 1 / 6,
        "Is this the share of right labels? Or have the means seen the fold that they predict?": 2 / 6,
        "This is the number of wrong labels. Divide it by the number of patients.": 4.0,
        "Each choice saw nothing but its own fold. It has to see all the others.": 3 / 6,
    }
    expect_close(cross_validate(x, y, folds, 1), 4 / 6, "cross_validate on six patients", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="These measurements know nothing of the labels. Near one half is all that an honest rule can do.",
)
def test_ten_measurements_of_coin_tosses(cross_validate):
    import numpy as np
    from dlcourse.checks import expect_close, plain

    y, folds, errors = (np.tile([0, 1], 20), np.repeat(np.arange(5), 8), [])
    for seed in range(10):
        x = np.random.default_rng(seed).standard_normal((40, 500))
        errors.append(plain(cross_validate(x, y, folds, 10), "the share of wrong labels"))
    too_good = "The measurements are random, and this is far below one half: a choice has seen the labels it predicts."
    means = "The choice is honest, but the means have been made with the fold that they predict."
    mistakes = {too_good: 0.1275, means: 0.4375, "This is the share of right labels.": 0.49}
    expect_close(np.mean(errors), 0.51, "the mean error of seeds 0 to 9", mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="With one number on the list there is nothing to choose, and both functions must agree.",
)
def test_a_list_of_one_number(choose_and_judge):
    import numpy as np
    from dlcourse.checks import expect_close

    y, folds = (np.tile([0, 1], 20), np.repeat(np.arange(5), 8))
    x = np.random.default_rng(0).standard_normal((40, 500))
    mistakes = {
        "This is the number of measurements. The share of wrong labels is asked for.": 10,
        "With one number on the list the result is too good: strongest has seen the fold that is predicted.": 0.05,
        "With one number on the list each fold got the error of the others. Predict the fold itself.": 0.46875,
        "This is the number of wrong labels, not their share.": 19,
    }
    what = "choose_and_judge(*coin_tosses(0), [10])"
    expect_close(choose_and_judge(x, y, folds, [10]), 0.475, what, mistakes=mistakes)


@test_case(
    points=0,
    hidden=False,
    failure_message="Mend cross_validate first. Then let each fold have its own number of measurements.",
)
def test_the_best_of_five_on_coin_tosses(choose_and_judge):
    import numpy as np
    from dlcourse.checks import expect_close, plain

    y, folds, errors = (np.tile([0, 1], 20), np.repeat(np.arange(5), 8), [])
    for seed in range(1, 6):
        x = np.random.default_rng(seed).standard_normal((40, 500))
        errors.append(plain(choose_and_judge(x, y, folds, [1, 3, 10, 30, 100]), "the share of wrong labels"))
    all_folds = "This is the error of the winner: the fold that is predicted took part in the choice of the number."
    mistakes = {
        all_folds: 0.4,
        "Each fold was allowed to choose the number that suits it best. It has to be predicted, not asked.": 0.31,
        "The number is chosen honestly. But then strongest has seen all patients.": 0.19,
        "Of equally good numbers the last was taken. Take the first on the list.": 0.485,
        "The number was chosen by the error on the examples the rule was made from.": 0.535,
        "The errors that led to the choice were returned. They belong to the winner; the held-out fold judges.": 0.4125,
        "The choice was made by a cross-validation with the bug still in it.": 0.55,
    }
    expect_close(np.mean(errors), 0.495, "the mean error of seeds 1 to 5", mistakes=mistakes)
