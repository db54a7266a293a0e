"""The language server with a client that knows nothing of it: pytest-lsp, on the types of lsprotocol.

    editor.py LINELOAD
"""

import asyncio
import pathlib
import sys
import tempfile
import warnings

import pytest_lsp
from lsprotocol import types

LINELOAD = str(pathlib.Path(sys.argv[1]).resolve())
ONE = "ArtifactName: one\nArtifactType: DataSet\nSource:\n  SourceUri: s3://lake/1\n"
TWO = "ArtifactName: one\nArtifactType: dataset\nSource:\n  SourceUri: s3://lake/😀 2\nProperties:\n  a: yes\n"


async def check(editor, folder):
    capabilities = pytest_lsp.client_capabilities(editor)
    root = types.WorkspaceFolder(uri=folder.as_uri(), name="folder")
    parameters = types.InitializeParams(capabilities=capabilities, workspace_folders=[root])
    client = pytest_lsp.make_test_lsp_client()
    client.feature(types.CLIENT_REGISTER_CAPABILITY)(lambda _: None)
    await client.start_io(LINELOAD, "language-server")
    result = await client.initialize_session(parameters)
    assert result.server_info.name == "lineload", result
    manifest = folder / "manifests" / "b.yaml"
    document = types.TextDocumentIdentifier(uri=manifest.as_uri())
    client.text_document_did_open(types.DidOpenTextDocumentParams(
        types.TextDocumentItem(manifest.as_uri(), "yaml", 1, TWO)))
    while True:
        await client.wait_for_notification(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
        found = [one.code for one in client.diagnostics.get(manifest.as_uri(), [])]
        if "duplicate-name" in found:
            break
    assert found == ["duplicate-name", "type-case", "ambiguous-scalar"], found
    place = types.Position(0, 15)
    there = await client.text_document_definition_async(types.DefinitionParams(document, place))
    assert [one.uri for one in there] == [(folder / "manifests" / "a.yaml").as_uri()], there
    hover = await client.text_document_hover_async(types.HoverParams(document, types.Position(3, 5)))
    assert "SourceUri" in hover.contents.value, hover
    symbols = await client.text_document_document_symbol_async(types.DocumentSymbolParams(document))
    assert [one.name for one in symbols] == ["one"], symbols
    items = await client.text_document_completion_async(
        types.CompletionParams(document, types.Position(1, 14)))
    assert "DataSet" in [one.label for one in items], items
    whole = types.Range(types.Position(0, 0), types.Position(6, 0))
    actions = await client.text_document_code_action_async(
        types.CodeActionParams(document, whole, types.CodeActionContext(diagnostics=[])))
    titles = [one.title for one in actions]
    assert "Allow type-case here" in titles and "Fix ambiguous-scalar: quote it: `'yes'`" in titles, titles
    await client.shutdown_session()


def main():
    # What a client with these capabilities could not take is a fault.
    warnings.simplefilter("error", pytest_lsp.LspSpecificationWarning)
    for editor in ["neovim", "visual_studio_code", "emacs"]:
        with tempfile.TemporaryDirectory() as directory:
            folder = pathlib.Path(directory).resolve()
            (folder / "manifests").mkdir()
            (folder / "manifests" / "a.yaml").write_text(ONE)
            (folder / "manifests" / "b.yaml").write_text(TWO)
            asyncio.run(asyncio.wait_for(check(editor, folder), 60))
            print(f"editor: a session with the capabilities of {editor}")


main()
