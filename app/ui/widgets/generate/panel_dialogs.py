"""What the form has to ask in a window of its own: files, masks, names. Turns answers into wishes."""

from pathlib import Path

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QGuiApplication, QImage
from PySide6.QtWidgets import QFileDialog

from app.models.session import Session
from app.services.dropped import dropped
from app.services.media import pixels_of
from app.ui.widgets.generate_panel import GeneratePanel


class PanelDialogs(QObject):
    """Every dialog is the panel's, opens without holding anything up, and deletes itself."""

    begin_requested = Signal(object)  # str: a file
    begin_with_picture_requested = Signal(object)  # Pixels
    mask_chosen = Signal(object)  # Pixels | None
    forget_picture_requested = Signal()
    prompts_file_chosen = Signal(object)  # str
    forget_prompts_requested = Signal()
    wildcards_folder_requested = Signal()
    clear_history_requested = Signal()
    preset_save_requested = Signal(object)  # str
    preset_rename_requested = Signal(object)  # tuple[str, str]
    preset_delete_requested = Signal(object)  # str

    def __init__(self, session: Session, panel: GeneratePanel) -> None:
        super().__init__(panel)
        self._session = session
        self._panel = panel
        self._renaming = ""
        start, tools = panel.start_picture, panel.prompt_tools
        start.choose_requested.connect(self._on_choose_picture)
        start.file_dropped.connect(self.begin_requested)
        start.image_dropped.connect(self._on_image)
        start.mask_requested.connect(self._on_mask)
        start.forget_requested.connect(self.forget_picture_requested)
        panel.continuing.choose_requested.connect(self._on_choose_clip)
        panel.continuing.file_dropped.connect(self.begin_requested)
        panel.prompt_field.editor.image_pasted.connect(self._on_image)
        tools.file_requested.connect(self._on_choose_prompts)
        tools.folder_requested.connect(self.wildcards_folder_requested)
        tools.clear_history_requested.connect(self.clear_history_requested)
        panel.prompt_list.forget_requested.connect(self.forget_prompts_requested)
        panel.preset.save_requested.connect(self._on_save_preset)
        panel.preset.rename_requested.connect(self._on_rename_preset)
        panel.preset.delete_requested.connect(self.preset_delete_requested)

    # ---- beginnings -----------------------------------------------------------------------------------------------

    def paste(self) -> bool:
        """Start from what the clipboard holds; False if that is no picture."""
        found = dropped(QGuiApplication.clipboard().mimeData())
        if found.paths:
            self.begin_requested.emit(found.paths[0])
        elif found.image is not None:
            self._on_image(found.image)
        return found.is_welcome

    def _on_image(self, image: QImage) -> None:
        if not image.isNull():
            self.begin_with_picture_requested.emit(pixels_of(image))

    def _on_choose_picture(self) -> None:
        kinds = self.tr("Pictures (*.png *.jpg *.jpeg *.webp *.avif *.bmp *.gif *.tif *.tiff);;All files (*)")
        self._choose(
            self.tr("Picture to start from"), kinds, self._session.beginnings.picture.path
        ).fileSelected.connect(self.begin_requested)

    def _on_choose_clip(self) -> None:
        kinds = self.tr("Clips (*.mp4 *.webm *.mkv *.mov *.gif *.webp);;All files (*)")
        self._choose(self.tr("Clip to continue"), kinds, self._session.beginnings.clip.path).fileSelected.connect(
            self.begin_requested
        )

    def _on_mask(self) -> None:
        from app.ui.widgets.mask_editor import MaskEditor

        state = self._session.form.state
        editor = MaskEditor(state.init_image, state.mask_image, self._panel)
        editor.mask_chosen.connect(self.mask_chosen)
        editor.open()

    # ---- prompts --------------------------------------------------------------------------------------------------

    def _on_choose_prompts(self) -> None:
        dialog = self._choose(self.tr("Prompts, one a line"), self.tr("Text (*.txt);;All files (*)"), "")
        dialog.fileSelected.connect(self.prompts_file_chosen)

    def _choose(self, title: str, kinds: str, near: str) -> QFileDialog:
        dialog = QFileDialog(self._panel, title, str(Path(near).parent) if near else str(Path.home()))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.setNameFilter(kinds)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.open()
        return dialog

    # ---- presets --------------------------------------------------------------------------------------------------

    def _on_save_preset(self) -> None:
        from app.ui.widgets.name_dialog import NameDialog

        name = self._session.form.preset
        usual = name if name in self._session.form.own_presets else ""
        dialog = NameDialog(self.tr("Save these settings as a preset"), usual, self._name_problem, self._panel)
        dialog.name_chosen.connect(self.preset_save_requested)
        dialog.open()

    def _on_rename_preset(self, name: str) -> None:
        from app.ui.widgets.name_dialog import NameDialog

        self._renaming = name
        dialog = NameDialog(self.tr("Rename the preset"), name, self._name_problem, self._panel, deed=self.tr("Rename"))
        dialog.name_chosen.connect(self._on_new_name)
        dialog.open()

    def _on_new_name(self, name: str) -> None:
        self.preset_rename_requested.emit((self._renaming, name))

    def _name_problem(self, name: str) -> str:
        """Own presets of the same name are replaced; the model's are not."""
        if name in self._session.form.model_presets:
            return self.tr("This is a preset of the model; choose another name.")
        return ""
