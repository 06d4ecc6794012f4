"""The one style sheet, generated from the tokens. No Qt.

Widgets say what they are through dynamic properties: ``role`` of labels and frames, ``variant`` of buttons.
"""

from pathlib import Path

from app.ui.theme.tokens import CONTROL_HEIGHT, RADIUS, RADIUS_LARGE, SPACING, TYPE, Colours


def style_sheet(c: Colours, icons: Path) -> str:
    """The style sheet of one palette; `icons` is the folder of the icon files."""
    return "\n".join(
        (_base(c), _labels(c), _surfaces(c), _buttons(c), _chips(c), _fields(c), _lists(c), _small(c, icons), _bars(c))
    )


def _base(c: Colours) -> str:
    return f"""
QWidget {{ color: {c.text}; font-size: {TYPE.body}px; }}
QMainWindow, QDialog {{ background: {c.window}; }}
QToolTip {{
    background: {c.raised}; color: {c.text}; border: 1px solid {c.line}; padding: {SPACING.xs}px {SPACING.s}px;
}}
QMenu {{ background: {c.raised}; border: 1px solid {c.line}; padding: {SPACING.xs}px; }}
QMenu::item {{ padding: 6px {SPACING.l}px; border-radius: {RADIUS - 2}px; }}
QMenu::item:selected {{ background: {c.accent}; color: {c.on_accent}; }}
QMenu::item:disabled {{ color: {c.disabled}; background: transparent; }}
QMenu::separator {{ height: 1px; background: {c.line}; margin: {SPACING.xs}px {SPACING.s}px; }}
"""


def _labels(c: Colours) -> str:
    return f"""
QLabel {{ background: transparent; }}
QLabel[role="caption"] {{ color: {c.muted}; font-size: {TYPE.caption}px; }}
QLabel[role="field"] {{ color: {c.muted}; font-size: {TYPE.caption}px; font-weight: 500; }}
QLabel[role="setting"] {{ color: {c.text}; }}
QLabel[role="setting"][changed="true"] {{ color: {c.accent_text}; font-weight: 600; }}
QLabel[role="error"] {{ color: {c.error}; font-size: {TYPE.caption}px; }}
QLabel[role="warning"] {{ color: {c.warning}; font-size: {TYPE.caption}px; }}
QLabel[role="muted"] {{ color: {c.muted}; }}
QLabel[role="strong"] {{ font-size: {TYPE.strong}px; font-weight: 600; }}
QLabel[role="emphasis"] {{ font-weight: 600; }}
QLabel[role="badge"] {{
    color: {c.accent_text}; background: {c.accent_tint}; border-radius: 4px; padding: 1px 6px;
    font-size: {TYPE.caption}px;
}}
QLabel[role="title"] {{ font-size: {TYPE.title}px; font-weight: 600; }}
QLabel[role="display"] {{ font-size: {TYPE.display}px; font-weight: 600; }}
QLabel[role="state"] {{
    font-size: {TYPE.caption}px; font-weight: 600; padding: 2px 8px; border-radius: 6px; color: {c.muted};
    background: {c.raised};
}}
QLabel[state="running"], QLabel[state="finished"] {{ color: {c.good}; }}
QLabel[state="starting"], QLabel[state="paused"] {{ color: {c.warning}; background: {c.warning_tint}; }}
QLabel[state="failed"], QLabel[state="interrupted"] {{ color: {c.error}; background: {c.error_tint}; }}
QLabel[role="key"] {{
    color: {c.muted}; background: {c.raised}; border: 1px solid {c.line}; border-radius: 4px;
    padding: 1px 5px; font-size: {TYPE.caption}px;
}}
QLabel[role="code"] {{
    color: {c.text}; background: {c.raised}; border-radius: 4px; padding: 3px 7px; font-family: monospace;
    font-size: {TYPE.caption}px;
}}
QLabel:disabled {{ color: {c.disabled}; }}
"""


def _surfaces(c: Colours) -> str:
    return f"""
QFrame[role="rail"] {{ background: {c.rail}; border: none; border-right: 1px solid {c.line}; }}
QFrame[role="panel"] {{ background: {c.panel}; border: none; border-right: 1px solid {c.line}; }}
QFrame[role="stage"] {{ background: {c.window}; border: none; }}
QFrame[role="inspector"] {{ background: {c.panel}; border: none; border-left: 1px solid {c.line}; }}
QSplitter::handle {{ background: {c.window}; }}
QFrame[role="footer"] {{ background: {c.panel}; border: none; border-top: 1px solid {c.line}; }}
QFrame[role="status"] {{ background: {c.rail}; border: none; border-top: 1px solid {c.line}; }}
QFrame[role="card"] {{ background: {c.panel}; border: 1px solid {c.line}; border-radius: {RADIUS_LARGE}px; }}
QFrame[role="overlay"] {{ background: {c.panel}; border: 1px solid {c.field_line}; border-radius: {RADIUS_LARGE}px; }}
QFrame[role="inset"] {{ background: {c.raised}; border: none; border-radius: {RADIUS}px; }}
QFrame[role="line"] {{ background: {c.line}; border: none; max-height: 1px; min-height: 1px; }}
QFrame[notice="info"] {{ background: {c.accent_tint}; border: none; border-left: 3px solid {c.accent_text}; }}
QFrame[notice="info"][is_toast="true"] {{
    border: 1px solid {c.field_line}; border-left: 3px solid {c.accent_text}; border-radius: {RADIUS}px;
}}
QFrame[notice="warning"] {{ background: {c.warning_tint}; border: none; border-left: 3px solid {c.warning}; }}
QFrame[notice="error"] {{ background: {c.error_tint}; border: none; border-left: 3px solid {c.error}; }}
QScrollArea, QScrollArea > QWidget > QWidget[role="plain"] {{ background: transparent; border: none; }}
"""


def _buttons(c: Colours) -> str:
    inner = CONTROL_HEIGHT - 4
    return f"""
QPushButton, QToolButton {{ border-radius: {RADIUS}px; font-weight: 500; }}
QPushButton {{
    background: {c.raised}; border: 1px solid {c.line}; min-height: {inner + 2}px; padding: 0 {SPACING.m + 1}px;
}}
QToolButton {{ background: transparent; border: 2px solid transparent; padding: 3px; }}
QPushButton:hover, QToolButton:hover {{ background: {c.hover}; }}
QPushButton:pressed, QToolButton:pressed {{ background: {c.pressed}; }}
QPushButton:focus {{ border: 2px solid {c.focus}; min-height: {inner}px; padding: 0 {SPACING.m}px; }}
QToolButton:focus {{ border-color: {c.focus}; }}
QPushButton:disabled, QToolButton:disabled {{ color: {c.disabled}; }}
QPushButton[variant="primary"] {{ background: {c.accent}; border-color: {c.accent}; color: {c.on_accent}; }}
QPushButton[variant="primary"]:hover {{ background: {c.accent_hover}; border-color: {c.accent_hover}; }}
QPushButton[variant="primary"]:pressed {{ background: {c.accent_pressed}; border-color: {c.accent_pressed}; }}
QPushButton[variant="primary"]:focus {{ border-color: {c.text}; }}
QPushButton[variant="primary"]:disabled {{ background: {c.raised}; border-color: {c.raised}; color: {c.disabled}; }}
QLabel[role="shortcut"] {{ color: {c.on_accent}; font-size: {TYPE.caption}px; }}
QLabel[role="shortcut"]:disabled {{ color: {c.disabled}; }}
QPushButton[variant="link"] {{
    background: transparent; border: 2px solid transparent; color: {c.accent_text}; padding: 0 {SPACING.xs}px;
    min-height: 20px;
}}
QPushButton[variant="link"]:hover {{ text-decoration: underline; }}
QPushButton[variant="link"]:focus {{ border-color: {c.focus}; }}
QPushButton[variant="fold"] {{
    background: transparent; border: 2px solid transparent; text-align: left; padding: 0; color: {c.text};
    min-height: {inner - 4}px;
}}
QPushButton[variant="fold"]:hover {{ color: {c.accent_text}; }}
QPushButton[variant="fold"]:focus {{ border-color: {c.focus}; }}
QToolButton[variant="icon"], QToolButton[variant="small"] {{
    background: transparent; border-color: transparent; padding: 0;
}}
QToolButton[variant="icon"] {{ min-width: {inner}px; min-height: {inner}px; }}
QToolButton[variant="small"] {{ min-width: 22px; min-height: 22px; }}
QToolButton[variant="title"] {{
    background: transparent; border: 1px solid transparent; border-radius: 4px; padding: 0;
    min-width: 20px; min-height: 13px; max-height: 13px;
}}
QToolButton[variant="title"]:hover {{ background: {c.hover}; }}
QToolButton[variant="title"]:focus {{ border-color: {c.focus}; }}
QToolButton[variant="icon"]:hover, QToolButton[variant="small"]:hover {{ background: {c.hover}; }}
QToolButton[variant="icon"]:checked, QToolButton[variant="small"]:checked {{ background: {c.accent_tint}; }}
QToolButton[variant="icon"]:focus, QToolButton[variant="small"]:focus {{ border-color: {c.focus}; }}
QToolButton[variant="rail"] {{
    background: transparent; border-color: transparent; color: {c.muted}; font-size: {TYPE.caption}px;
    min-height: 50px; padding: 4px 0 2px 0;
}}
QToolButton[variant="rail"]:hover {{ background: {c.hover}; color: {c.text}; }}
QToolButton[variant="rail"]:checked {{ background: {c.accent_tint}; color: {c.accent_text}; }}
QToolButton[variant="rail"]:focus {{ border-color: {c.focus}; }}
QToolButton[variant="status"] {{
    background: transparent; border-color: transparent; color: {c.muted}; font-size: {TYPE.caption}px;
    font-weight: 400; min-height: 20px; padding: 0 {SPACING.s}px;
}}
QToolButton[variant="status"]:hover {{ background: {c.hover}; color: {c.text}; }}
QToolButton[variant="status"]:focus {{ border-color: {c.focus}; }}
QToolButton::menu-indicator {{ image: none; }}
"""


def _chips(c: Colours) -> str:
    return f"""
QPushButton[variant="chip"] {{
    background: {c.raised}; border: 2px solid {c.raised}; border-radius: 13px; min-height: 22px; max-height: 22px;
    padding: 0 10px; font-weight: 400; color: {c.text}; text-align: left;
}}
QPushButton[variant="chip"]:hover {{ background: {c.hover}; border-color: {c.hover}; }}
QPushButton[variant="chip"]:checked {{
    background: {c.accent_tint}; border-color: {c.accent_text}; color: {c.accent_text};
}}
QPushButton[variant="chip"]:focus {{ border-color: {c.focus}; }}
QPushButton[variant="chip"]:disabled {{
    background: transparent; border-color: {c.line}; color: {c.disabled};
}}
QPushButton[variant="tab"] {{
    background: transparent; border: 2px solid transparent; border-radius: 4px; color: {c.muted};
    min-height: 20px; max-height: 20px; padding: 0 6px; font-size: {TYPE.caption}px;
}}
QPushButton[variant="tab"]:hover {{ color: {c.text}; background: {c.hover}; }}
QPushButton[variant="tab"]:checked {{ color: {c.accent_text}; background: {c.accent_tint}; }}
QPushButton[variant="tab"]:focus {{ border-color: {c.focus}; }}
QPushButton[variant="list"] {{
    background: transparent; border: 2px solid transparent; text-align: left; padding: 0 {SPACING.s}px;
    color: {c.muted}; min-height: {CONTROL_HEIGHT - 8}px;
}}
QPushButton[variant="list"]:hover {{ color: {c.text}; background: {c.hover}; }}
QPushButton[variant="list"]:checked {{ color: {c.accent_text}; background: {c.accent_tint}; }}
QPushButton[variant="list"]:focus {{ border-color: {c.focus}; }}
QFrame[role="segments"] {{ background: {c.raised}; border: none; border-radius: {RADIUS}px; }}
QPushButton[variant="segment"] {{
    background: transparent; border: 2px solid transparent; border-radius: {RADIUS - 1}px; color: {c.muted};
    min-height: 24px; max-height: 24px; padding: 0 2px;
}}
QPushButton[variant="segment"]:hover {{ color: {c.text}; background: {c.hover}; }}
QPushButton[variant="segment"]:checked {{ color: {c.accent_text}; background: {c.accent_tint}; }}
QPushButton[variant="segment"]:focus {{ border-color: {c.focus}; }}
QPushButton[variant="example"] {{
    background: {c.panel}; border: 2px solid {c.line}; border-radius: {RADIUS_LARGE}px; text-align: left;
    padding: {SPACING.s}px {SPACING.m}px; font-weight: 400;
}}
QPushButton[variant="tile"] {{
    background: {c.panel}; border: 2px solid {c.line}; border-radius: {RADIUS_LARGE}px; text-align: left; padding: 0;
}}
QPushButton[variant="tile"]:hover {{ background: {c.hover}; }}
QPushButton[variant="tile"]:checked {{ background: {c.accent_tint}; border-color: {c.accent_text}; }}
QPushButton[variant="tile"]:focus {{ border-color: {c.focus}; }}
QPushButton[variant="example"]:hover {{ background: {c.hover}; }}
QPushButton[variant="example"]:focus {{ border-color: {c.focus}; }}
"""


def _fields(c: Colours) -> str:
    inner = CONTROL_HEIGHT - 2
    return f"""
QLineEdit, QPlainTextEdit, QAbstractSpinBox, QComboBox {{
    background: {c.field}; border: 1px solid {c.field_line}; border-radius: {RADIUS}px;
    selection-background-color: {c.accent}; selection-color: {c.on_accent};
}}
QLineEdit, QAbstractSpinBox, QComboBox {{ min-height: {inner}px; padding: 0 9px; }}
QLineEdit[variant="search"], QLineEdit[variant="search"]:focus {{
    background: transparent; border: none; font-size: {TYPE.strong}px; min-height: 38px; padding: 0 {SPACING.s}px;
}}
QPlainTextEdit {{ padding: 5px 6px; }}
QAbstractSpinBox QLineEdit, QComboBox QLineEdit {{
    background: transparent; border: none; border-radius: 0; min-height: 0; padding: 0; margin: 0;
}}
QAbstractSpinBox {{ padding: 0; min-height: {inner - 2}px; }}
QLineEdit:hover, QPlainTextEdit:hover, QAbstractSpinBox:hover, QComboBox:hover {{ border-color: {c.muted}; }}
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus {{
    border: 2px solid {c.focus}; padding: 0 8px; min-height: {inner - 2}px;
}}
QAbstractSpinBox:focus {{ padding: 0; min-height: {inner - 4}px; }}
QAbstractSpinBox QLineEdit:focus, QComboBox QLineEdit:focus {{ border: none; padding: 0; min-height: 0; }}
QPlainTextEdit:focus {{ border: 2px solid {c.focus}; padding: 4px 5px; }}
QLineEdit[wrong="true"], QPlainTextEdit[wrong="true"],
QAbstractSpinBox[wrong="true"], QComboBox[wrong="true"] {{ border-color: {c.error}; }}
QLineEdit:disabled, QPlainTextEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {{
    color: {c.disabled}; border-color: {c.line};
}}
QComboBox::drop-down {{ border: none; width: 24px; }}
QComboBox::down-arrow {{ image: none; }}
QComboBox {{ combobox-popup: 0; }}
QComboBox QAbstractItemView {{
    background: {c.raised}; border: 1px solid {c.line}; padding: {SPACING.xs}px; outline: none;
    selection-background-color: {c.accent}; selection-color: {c.on_accent};
}}
QComboBox QAbstractItemView::item {{ min-height: 28px; padding: 0 {SPACING.xs}px; border-radius: 4px; }}
QComboBox QAbstractItemView::item:selected {{ background: {c.accent}; color: {c.on_accent}; }}
QComboBox QAbstractItemView::item:disabled {{ color: {c.disabled}; }}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{
    subcontrol-origin: border; background: transparent; border: none; width: 20px;
}}
QAbstractSpinBox::up-button {{ subcontrol-position: top right; }}
QAbstractSpinBox::down-button {{ subcontrol-position: bottom right; }}
QAbstractSpinBox::up-arrow, QAbstractSpinBox::down-arrow {{ image: none; }}
"""


def _lists(c: Colours) -> str:
    return f"""
QListView {{ background: transparent; border: none; outline: none; }}
QTreeView {{ background: {c.field}; border: 1px solid {c.line}; outline: none; }}
QHeaderView::section {{
    background: {c.panel}; color: {c.muted}; border: none; border-bottom: 1px solid {c.line}; padding: 4px 8px;
}}
QTableView[role="numbers"] {{
    background: transparent; border: none; outline: none; font-size: {TYPE.caption}px;
    selection-background-color: {c.accent_tint}; selection-color: {c.text};
}}
QTableView[role="numbers"] QHeaderView::section {{
    background: transparent; font-size: {TYPE.caption}px; padding: 2px 4px; font-weight: 500;
}}
QTableView[role="numbers"]::item {{ padding: 0 4px; }}
QListView[role="completions"] {{
    background: {c.raised}; border: 1px solid {c.line};
    selection-background-color: {c.accent}; selection-color: {c.on_accent};
}}
QListView[role="completions"]::item:selected {{ background: {c.accent}; color: {c.on_accent}; }}
QListView[role="completions"]::item {{ min-height: 26px; padding: 0 {SPACING.s}px; border-radius: 4px; }}
"""


def _small(c: Colours, icons: Path) -> str:
    check = (icons / "check-light.svg").as_posix()
    return f"""
QCheckBox {{
    spacing: {SPACING.s}px; background: transparent; padding: 2px; border: 2px solid transparent; margin-left: -4px;
}}
QCheckBox:focus {{ border: 2px solid {c.focus}; border-radius: 4px; }}
QCheckBox::indicator {{
    width: 16px; height: 16px; border: 1px solid {c.field_line}; border-radius: 4px; background: {c.field};
}}
QCheckBox::indicator:hover {{ border-color: {c.muted}; }}
QCheckBox::indicator:checked {{ background: {c.accent}; border-color: {c.accent}; image: url("{check}"); }}
QCheckBox::indicator:disabled {{ border-color: {c.line}; background: {c.raised}; }}
QCheckBox:disabled {{ color: {c.disabled}; }}
QProgressBar {{
    background: {c.raised}; border: none; border-radius: 3px; min-height: 6px; max-height: 6px; color: transparent;
}}
QProgressBar::chunk {{ background: {c.accent_text}; border-radius: 3px; }}
QSlider::groove:horizontal {{ height: 4px; border-radius: 2px; background: {c.pressed}; }}
QSlider::sub-page:horizontal {{ background: {c.accent_text}; border-radius: 2px; }}
QSlider::handle:horizontal {{
    background: {c.text}; border: 2px solid {c.window}; width: 12px; height: 12px; margin: -6px 0; border-radius: 8px;
}}
QSlider::handle:horizontal:focus {{ border-color: {c.focus}; }}
QSlider::sub-page:horizontal:disabled {{ background: {c.pressed}; }}
QSlider::handle:horizontal:disabled {{ background: {c.disabled}; }}
"""


def _bars(c: Colours) -> str:
    return f"""
QScrollBar:vertical {{ background: transparent; width: 12px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 12px; margin: 0; }}
QScrollBar::handle {{ background: {c.pressed}; border-radius: 3px; margin: 3px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::handle:hover {{ background: {c.field_line}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
"""
