"""Writes a plan as the one comment of a pull request that is updated.

    comment.py FILE

The comment is recognized by its first line, which is not shown. Needs GITHUB_TOKEN with
`pull-requests: write`; without it, as for a pull request from a fork, says so and is content: the plan
is in the summary of the step too.
"""

import json
import os
import sys
import urllib.error
import urllib.request

MARK = "<!-- lineload plan -->"


def request(method, path, body=None):
    """Sends a request to the API of GitHub and returns the JSON of its answer."""
    url = os.environ.get("GITHUB_API_URL", "https://api.github.com") + path
    data = None if body is None else json.dumps(body).encode()
    headers = {
        "Authorization": "Bearer " + os.environ.get("GITHUB_TOKEN", ""),
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        "User-Agent": "lineload",
    }
    sent = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(sent, timeout=30) as answer:
        return json.load(answer)


def earlier(comments):
    """Returns the comment of an earlier run, or None."""
    for page in range(1, 31):
        found = request("GET", f"{comments}?per_page=100&page={page}")
        for comment in found:
            # Anybody can write the mark; only a bot's comment is this action's.
            ours = (comment.get("user") or {}).get("type") == "Bot"
            if ours and (comment.get("body") or "").startswith(MARK):
                return comment
        if len(found) < 100:
            return None
    return None


def main():
    with open(os.environ["GITHUB_EVENT_PATH"], encoding="utf-8") as file:
        number = int(json.load(file)["pull_request"]["number"])
    with open(sys.argv[1], encoding="utf-8") as file:
        body = {"body": f"{MARK}\n{file.read()}"}
    issues = f"/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    try:
        comment = earlier(f"{issues}/{number}/comments")
        if comment is None:
            comment = request("POST", f"{issues}/{number}/comments", body)
        else:
            comment = request("PATCH", f"{issues}/comments/{int(comment['id'])}", body)
    except urllib.error.HTTPError as error:
        if error.code not in (401, 403, 404):
            raise
        print(f"::notice::the plan is in the summary only: the token may not write comments ({error.code})")
        return
    print(f"the plan is in {comment.get('html_url', 'a comment')}")


main()
