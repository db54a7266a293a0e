//! Inventories and templates, from which `generate` makes manifests.

use super::Explanation;

pub(super) fn inventory_syntax() -> Explanation {
    Explanation::new(
        "`lineload generate` reads CSV and TSV strictly: a cell that holds a delimiter, a line break \
         or a quote stands in quotes, and each quote in it is written twice. Lenient readers \
         guess where a cell ends, and a wrong guess puts the values of one row into the artifact of \
         another. \
         JSON and JSON Lines are read as they are defined.\n\n\
         No artifact is generated from such a row. The rows after it are read as usual.",
    )
    .source("RFC 4180 for CSV, RFC 8259 for JSON")
}

pub(super) fn row_length() -> Explanation {
    Explanation::new(
        "Each row of a table has one cell for each column. With one more or one fewer, every later \
         value would end up in the wrong column.\n\n\
         Most such rows hold a delimiter in a cell that is not quoted.",
    )
    .source("RFC 4180")
}

pub(super) fn template_syntax() -> Explanation {
    Explanation::new(
        "A template of `lineload generate` is a manifest whose texts may hold expressions, as in \
         `SourceUri: '{{ row.location }}'`. It is read as YAML first, so an expression stands in \
         quotes, and its fields are those of a manifest. What an expression names must exist: a \
         column of the inventory, a filter, a variable of `$for`.\n\n\
         Nothing is generated from a template with such a fault, and the exit code is 2.",
    )
}

pub(super) fn no_value() -> Explanation {
    Explanation::new(
        "An expression of the template failed for this row: the row has no such field, or a filter \
         cannot read the value, as `date` cannot read `soon`.\n\n\
         Where a value may be missing, `{{ row.owner | default('nobody') }}` provides \
         a default, and `$when: row.owner is defined` leaves the entry out.",
    )
}

pub(super) fn unresolved_function() -> Explanation {
    Explanation::new(
        "A value of a CloudFormation template is a function, such as `!GetAtt Bucket.Arn`, whose value only a \
         stack knows. The value of a parameter is its default, or what `--var PARAMETER=VALUE` says; \
         `AWS::Region`, `AWS::AccountId`, `AWS::Partition` and `AWS::StackName` are `--var region=VALUE`, \
         `account`, `partition` and `stack`. `Fn::Sub`, `Fn::Join`, `Fn::Split`, `Fn::Select`, \
         `Fn::FindInMap`, `Fn::If` and the functions of conditions are evaluated; all others, references to \
         other resources and dynamic references such as `{{resolve:ssm:name}}` are not.\n\n\
         No artifact is made of the resource. Write the value in its place, or make it a parameter.",
    )
    .source("AWS CloudFormation Template Reference, intrinsic functions")
}

pub(super) fn spreadsheet_formula() -> Explanation {
    Explanation::new(
        "A cell that the template reads begins with `=` and a name, or holds an error such as \
         `#REF!`: a spreadsheet was exported with its formulas, or with one that failed. The text \
         would become the value of the artifact's field.\n\n\
         Export values instead of formulas, and fix the cells that show an error.",
    )
}
