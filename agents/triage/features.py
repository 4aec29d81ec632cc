"""The one seam to scikit-learn, which has no types: text in, calibrated probabilities and speaking terms out.
Pure: no Django, clock, network or settings. The same texts and labels give the same scorer, run after run.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import hstack
from scipy.special import expit
from sklearn import config_context
from sklearn.calibration import CalibratedClassifierCV
from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS, TfidfVectorizer
from sklearn.svm import LinearSVC

FOLDS = 3
"""Parts for the calibration: each class must have at least so many texts."""

Floats = NDArray[np.floating[Any]]


@dataclass(frozen=True, slots=True)
class Scorer:
    """Fitted vectorizers and one linear scorer per class over their columns, words first.

    `weights` is columns x classes; the others hold one value per class, `slopes` and `shifts` by Platt.
    """

    words: Any
    letters: Any
    classes: tuple[str, ...]
    weights: Floats
    offsets: Floats
    slopes: Floats
    shifts: Floats

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """One row per text, one column per class, each row adding up to 1."""
        with config_context(assume_finite=True, skip_parameter_validation=True):
            words, letters = self.words.transform(texts), self.letters.transform(texts)
        scores = words @ self.weights[: words.shape[1]] + letters @ self.weights[words.shape[1] :] + self.offsets
        single = expit(-(self.slopes * scores + self.shifts))
        return np.asarray(single / single.sum(axis=1, keepdims=True))

    def terms(self, text: str, class_name: str, most: int = 3) -> tuple[str, ...]:
        """The words and pairs of words of the text that spoke loudest for the class, loudest first."""
        weights = self.weights[:, self.classes.index(class_name)]
        column_of = self.words.vocabulary_
        counted = Counter(term for term in self.words.build_analyzer()(text) if term in column_of)
        named = {
            term: (1 + math.log(times)) * float(self.words.idf_[column_of[term]] * weights[column_of[term]])
            for term, times in counted.items()
            if not ENGLISH_STOP_WORDS.issuperset(term.split())
        }  # the row's norm would divide all alike
        loudest = sorted(named, key=lambda term: (-named[term], term))[:most]
        return tuple(term for term in loudest if named[term] > 0)

    def familiarity(self, text: str) -> float:
        """The share of the text's words that the fitting has met, 0 to 1."""
        words = re.findall(r"\w+", text.lower())
        return sum(word in self.words.vocabulary_ for word in words) / max(1, len(words))


def fit(texts: Sequence[str], labels: Sequence[str]) -> Scorer:
    """TF-IDF of words (1-2) and of letters inside words (3-5) into a calibrated linear SVM.

    Calibration: Platt's sigmoid (1999), the one-vs-rest probabilities scaled to add up to 1 (Zadrozny and
    Elkan 2002). Needs three classes, and `FOLDS` texts of each (ValueError).
    """
    form = {"sublinear_tf": True, "dtype": np.float32}
    words = TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", **form)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), min_df=2, **form)
    columns = hstack((words.fit_transform(texts), letters.fit_transform(texts)), format="csr")
    machine = LinearSVC(C=1.0, random_state=0)
    fitted = CalibratedClassifierCV(machine, method="sigmoid", cv=FOLDS, ensemble=False).fit(columns, labels)
    linear = fitted.calibrated_classifiers_[0].estimator
    curves = fitted.calibrated_classifiers_[0].calibrators
    return Scorer(
        words,
        letters,
        classes=tuple(str(name) for name in fitted.classes_),
        # Kept in this order of memory: otherwise each prediction would copy the whole matrix first.
        weights=np.ascontiguousarray(linear.coef_.T, dtype=np.float32),
        offsets=linear.intercept_,
        slopes=np.array([curve.a_ for curve in curves]),
        shifts=np.array([curve.b_ for curve in curves]),
    )
