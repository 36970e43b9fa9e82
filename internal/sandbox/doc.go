// Package sandbox is a simulated Platform.sh / Upsun platform: the token
// endpoint and the part of the API that automatond talks to. Nothing real is
// behind it. It serves `automatond run --sandbox`, tests and benchmarks.
//
// It is written from what the vendor publishes, and shares no code with the
// client: the OpenAPI description gives the shape of every resource, the
// vendor's CLI and client libraries give the rest, such as the HAL links, the
// accepted envelope with its activities, the list parameters and the wording
// of refused tokens, and the documentation gives the backup quota.
//
// What is simulated:
//
//   - API tokens are exchanged for access tokens, which stay valid until they
//     expire, even when the API token is revoked.
//   - An environment offers an operation as a HAL link only to a user who may
//     use it, in a status that allows it, and while no activity is under way.
//     Beside these links stand some that are arrays, as in real answers.
//   - An accepted operation is an activity. It is pending, then in progress, and
//     its effect shows at its end. An environment works on one at a time.
//   - Manual backups have a quota; a new one replaces the oldest. See Evictions.
//   - The projects of an organization, and those that a user has access to, are
//     listed in pages, to those who may.
//   - Requests can be made to fail, before or after they took effect. See Fault.
//
// What the real platform does where nobody says so is an option: its answer to
// an operation without a link (Options.WithoutLink), the path of a backup
// (Options.PluralBackupPath), the error for a refused token
// (Options.InvalidToken). Not simulated are limits across the environments of
// a project, deployments, merges, and every resource that is not named here.
//
// There are two ways in: ServeHTTP over sockets (see Start), and Transport,
// which has neither socket nor goroutine. States are computed from time.Now
// when somebody looks, so the whole platform works in virtual time inside a
// testing/synctest bubble.
//
// A sandbox is not shy about what it is: each answer has the header
// X-Automatond-Sandbox, and the root page says it in words.
package sandbox
