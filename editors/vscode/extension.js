// Starts `lineload language-server` for YAML files.

const { workspace } = require("vscode");
const { LanguageClient } = require("vscode-languageclient/node");

let client;

exports.activate = () => {
  const settings = workspace.getConfiguration("lineload");
  const server = { command: settings.get("path"), args: ["language-server", ...settings.get("args")] };
  const options = {
    documentSelector: [{ scheme: "file", language: "yaml" }],
    diagnosticCollectionName: "lineload",
  };
  client = new LanguageClient("lineload", "lineload", server, options);
  return client.start();
};

exports.deactivate = () => client?.stop();
