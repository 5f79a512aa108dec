// Tenants: who they are, and what their guests are promised.
#include <algorithm>

#include "provisioner/base/ids.h"
#include "provisioner/daemon/farm.h"

namespace umlfarm::daemon {
namespace {

TenantAccount account_of(const Tenant& tenant, const quota::Sums& sums) {
  TenantAccount account{tenant, {}, {}};
  const auto own = sums.find(quota::tenant_account(tenant.name));
  if (own != sums.end()) account.promised = own->second;
  const std::string users = quota::user_account({tenant.name, ""});
  for (auto user = sums.lower_bound(users); user != sums.end() && user->first.starts_with(users); ++user)
    account.users[user->first.substr(users.size())] = user->second;
  return account;
}

}  // namespace

Result<std::vector<TenantAccount>> Farm::tenants() {
  UMLFARM_ASSIGN(const std::vector<Tenant> tenants, store_->tenants());
  const quota::Sums sums = ledger_.sums();
  std::vector<TenantAccount> accounts;
  accounts.reserve(tenants.size());
  for (const Tenant& tenant : tenants) accounts.push_back(account_of(tenant, sums));
  return accounts;
}

Result<TenantAccount> Farm::tenant(const std::string& name) {
  UMLFARM_ASSIGN(const std::vector<Tenant> tenants, store_->tenants());
  UMLFARM_ASSIGN(const Tenant tenant, find_tenant(tenants, name));
  return account_of(tenant, ledger_.sums());
}

Result<TenantAccount> Farm::add_tenant(const Tenant& tenant) {
  UMLFARM_TRY(check_name("tenant", tenant.name));
  const std::lock_guard lock(admission_);
  UMLFARM_ASSIGN(const std::vector<Tenant> tenants, store_->tenants());
  if (find_tenant(tenants, tenant.name)) {
    return Error(Kind::Conflict,
                 "tenant '" + tenant.name + "' exists already; change it with 'umlfarm tenant set'");
  }
  UMLFARM_TRY(store_->put_tenant(tenant));
  return account_of(tenant, {});
}

Result<TenantAccount> Farm::set_tenant(const std::string& name,
                                       const std::function<Result<Tenant>(Tenant)>& change) {
  const std::lock_guard lock(admission_);
  UMLFARM_ASSIGN(const std::vector<Tenant> tenants, store_->tenants());
  UMLFARM_ASSIGN(Tenant before, find_tenant(tenants, name));
  UMLFARM_ASSIGN(const Tenant tenant, change(std::move(before)));
  UMLFARM_TRY(store_->put_tenant(tenant));
  return account_of(tenant, ledger_.sums());
}

Result<TenantAccount> Farm::remove_tenant(const std::string& name) {
  const std::lock_guard lock(admission_);
  UMLFARM_ASSIGN(const std::vector<Tenant> tenants, store_->tenants());
  UMLFARM_ASSIGN(const Tenant tenant, find_tenant(tenants, name));
  if (name == kDefaultTenant) {
    return Error(Kind::Conflict, "tenant 'default' has the guests that no other has, and stays");
  }
  const TenantAccount account = account_of(tenant, ledger_.sums());
  const std::uint64_t guests = account.promised[quota::Resource::Guests];
  if (guests != 0) {
    return Error(Kind::Conflict,
                 "tenant '" + name + "' has " + std::to_string(guests) + " guests; delete those first");
  }
  UMLFARM_TRY(store_->remove_tenant(name));
  return account;
}

}  // namespace umlfarm::daemon
