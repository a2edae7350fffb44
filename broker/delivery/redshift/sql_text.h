// The pieces of SQL that users give, and what is made of them. Values only; thread-safe.
#pragma once

#include <string>
#include <string_view>

namespace sluice::delivery {

/// 'it''s': a literal.
std::string SqlLiteral(std::string_view value);

/// Whether `word` stands in it outside of quotes and comments, in any case of its letters.
bool HasSqlWord(std::string_view sql, std::string_view word);

/// Empty, or why it cannot stand inside a statement: a ';' that is not its end, a quote or comment that does not end.
std::string SqlPartProblem(std::string_view sql);

/// Without white space around it and ';' behind it.
std::string_view TrimmedSql(std::string_view sql);

/// Literals that are credentials of a COPY are '***'.
std::string WithoutCredentials(std::string_view sql);
/// `message`, which may quote `sql`, with *** in place of these credentials.
std::string WithoutCredentialsOf(std::string_view sql, std::string message);

}  // namespace sluice::delivery
